import { Contract } from 'ethers';

const ABI = ['function balanceOf(address) view returns (uint256)', 'function symbol() view returns (string)'];

export async function balances(provider, owner, tokens) {
  return Promise.all(
    tokens.map(async (address) => {
      const token = new Contract(address, ABI, provider);
      return { symbol: await token.symbol(), balance: await token.balanceOf(owner) };
    }),
  );
}

export function watch(tokens) {
  localStorage.setItem('watchedTokens', JSON.stringify(tokens.map((token) => token.address)));
}
