import jwt from 'jsonwebtoken';

const now = () => Math.floor(Date.now() / 1000);

/** Tokens for partners who fetch their orders. */
export function partnerToken(partner) {
  return jwt.sign(
    {
      sub: partner.id,
      scope: 'orders:read',
      exp: Math.floor(Date.now() / 1000) + 7 * 24 * 3600, // expect: token-lives-too-long
    },
    process.env.PARTNER_KEY,
    { algorithm: 'HS256' },
  );
}

export function dockToken(dock) {
  return jwt.sign({ sub: dock.id, exp: now() + 600 }, process.env.DOCK_KEY);
}
