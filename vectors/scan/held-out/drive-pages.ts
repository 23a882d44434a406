import type { Fetcher } from './fetcher'

type Page = { files: { id: string; title: string }[]; nextPageToken?: string }

export async function allFiles(fetcher: Fetcher, folder: string): Promise<Page['files']> {
  const files: Page['files'] = []
  let pageToken: string | undefined
  do {
    const address = new URL(`/folders/${folder}/files`, fetcher.base)
    if (pageToken) address.searchParams.set('pageToken', pageToken)
    const page = await fetcher.json<Page>(address)
    files.push(...page.files)
    pageToken = page.nextPageToken
  } while (pageToken)
  return files
}
