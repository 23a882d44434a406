import { compactVerify, importSPKI } from 'jose'
import { readFile } from 'node:fs/promises'

/** Release notes are signed text, not tokens: there is nobody they are meant for, and they do not run out. */
export async function releaseNotes(signed: string): Promise<string> {
  const pem = await readFile(new URL('./release-key.pem', import.meta.url), 'utf8')
  const key = await importSPKI(pem, 'EdDSA')
  const { payload } = await compactVerify(signed, key, { algorithms: ['EdDSA'] })
  return new TextDecoder().decode(payload)
}
