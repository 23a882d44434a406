import Hls from 'hls.js'
import { api } from './api'

export async function play(video: HTMLVideoElement, id: string, bearer: string) {
  const query = new URLSearchParams({ bearer, quality: 'auto' }) // expect: token-in-url
  const hls = new Hls()
  hls.loadSource(`/streams/${id}.m3u8?${query}`)
  hls.attachMedia(video)
}

export async function chapters(id: string, accessToken: string) {
  const { data } = await api.get(`/streams/${id}/chapters`, { params: { access_token: accessToken } }) // expect: token-in-url
  return data.chapters as { at: number; title: string }[]
}
