import axios from 'axios'

interface Options {
  calendar: string
  accessToken: string
}

export async function exportCalendar({ calendar, accessToken }: Options): Promise<Blob> {
  const params = new URLSearchParams()
  params.set('calendar', calendar)
  params.set('access_token', accessToken) // expect: token-in-url
  const { data } = await axios.get('/export.ics', { params, responseType: 'blob' })
  return data
}

export async function importCalendar(file: File, accessToken: string): Promise<void> {
  await axios.post('/import', file, { headers: { Authorization: `Bearer ${accessToken}` } })
}
