import vaultClient from 'node-vault'

const SECRET_PATH = 'secret/data/identity/signing'
const vault = vaultClient({ endpoint: process.env.VAULT_ADDR, token: process.env.VAULT_TOKEN })

export interface SigningSecret {
  kid: string
  value: string
}

export async function signingSecret(): Promise<SigningSecret> {
  const { data } = await vault.read(SECRET_PATH)
  const { kid, value } = data.data
  if (!kid || !value) throw new Error(`${SECRET_PATH}: kid and value are expected`)
  return { kid, value }
}
