interface Page<T> {
  items: T[]
  nextPageToken?: string
}

export async function* pages<T>(path: string): AsyncGenerator<T[]> {
  let pageToken = sessionStorage.getItem(`pageToken:${path}`) ?? ''
  do {
    const response = await fetch(`${path}?pageToken=${pageToken}`, { credentials: 'include' })
    const page: Page<T> = await response.json()
    yield page.items
    pageToken = page.nextPageToken ?? ''
    sessionStorage.setItem(`pageToken:${path}`, pageToken)
  } while (pageToken)
}
