import { esign } from '../vendors/esign'
import type { Contract } from './contract'

export async function requestSignature(contract: Contract) {
  const { signer } = contract
  const envelope = await esign.sign({
    name: signer.name,
    email: signer.email,
    address: signer.address,
    document: contract.pdf,
  })
  return { id: envelope.id, status: envelope.status }
}

export function signatureLine(signer: Contract['signer']): string {
  return `${signer.name}, ${signer.address.city}`
}
