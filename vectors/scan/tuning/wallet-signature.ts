import { verifyMessage, type Wallet } from 'ethers'

export async function signOrder(wallet: Wallet, order: { id: string; email: string; amount: string }) {
  const message = `order ${order.id}: ${order.amount}`
  return { message, signature: await wallet.signMessage(message) }
}

export function signedBy(message: string, signature: string): string {
  return verifyMessage(message, signature)
}

export function decimals(token: { symbol: string; decimals: number }): number {
  return token.decimals
}
