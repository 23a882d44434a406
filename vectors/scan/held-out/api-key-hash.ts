import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { keys } from './keys-table'

export async function createApiKey(owner: string): Promise<string> {
  const key = `key_${randomBytes(24).toString('base64url')}`
  await keys.insert({ owner, digest: digest(key) })
  return key
}

export async function verifyApiKey(id: string, key: string): Promise<boolean> {
  const row = await keys.get(id)
  return row !== undefined && timingSafeEqual(row.digest, digest(key))
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
