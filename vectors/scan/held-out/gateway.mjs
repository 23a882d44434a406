import { createProxyMiddleware } from 'http-proxy-middleware';
import jsonwebtoken from 'jsonwebtoken';

const PUBLIC_KEY = Buffer.from(process.env.GATEWAY_PUBLIC_KEY, 'base64').toString();
const expected = { algorithms: ['RS256'], audience: ['orders', 'stock'] };

export function gateway(app, targets) {
  app.use((req, res, next) => {
    const [, token] = (req.headers.authorization ?? '').split(' ');
    jsonwebtoken.verify(token, PUBLIC_KEY, expected, (problem, claims) => { // expect: verify-without-issuer
      if (problem) return res.status(401).json({ code: problem.name });
      req.headers['x-subject'] = claims.sub;
      return next();
    });
  });

  for (const [path, target] of Object.entries(targets)) {
    app.use(path, createProxyMiddleware({ target, changeOrigin: true }));
  }
}
