import { importSPKI, jwtVerify } from 'jose';

const PUBLIC_PEM = `-----BEGIN PUBLIC KEY-----
c29tZSB0ZXh0IGluIHRoZSBwbGFjZSBvZiBhIHB1YmxpYyBrZXksIGZpbmUgdG8gc2hvdw==
-----END PUBLIC KEY-----
`;

const key = await importSPKI(PUBLIC_PEM, 'RS256');

export const verifyUpdate = (token) =>
  jwtVerify(token, key, { algorithms: ['RS256'], issuer: 'updates', audience: 'desktop' });
