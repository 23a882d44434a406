import express from 'express';
import { expressjwt } from 'express-jwt';
import { expressJwtSecret } from 'jwks-rsa';

const issuer = process.env.OIDC_ISSUER;

export const app = express();

app.use(
  expressjwt({
    secret: expressJwtSecret({ jwksUri: `${issuer}/jwks`, cache: true }),
    algorithms: ['RS256', 'PS256'],
    issuer,
    audience: 'inventory',
  }),
);

app.get('/items', (req, res) => res.json({ owner: req.auth.sub }));
