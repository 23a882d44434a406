import jwt from 'jsonwebtoken';
import { accounts } from './accounts.mjs';

async function refresh(refreshToken) { // expect: no-rotation
  const claims = jwt.verify(refreshToken, process.env.REFRESH_KEY, { algorithms: ['HS384'] }); // expect: verify-without-issuer, verify-without-audience
  const account = await accounts.get(claims.sub);
  if (!account || account.locked) throw new Error('account is locked');
  return {
    token: jwt.sign({ sub: account.id, role: account.role }, process.env.ACCESS_KEY, { expiresIn: 900 }),
  };
}

export const lambda = async (event) => {
  const { refreshToken } = JSON.parse(event.body);
  return { statusCode: 200, body: JSON.stringify(await refresh(refreshToken)) };
};
