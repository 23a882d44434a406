import { Hono } from 'hono';
import { exportJWK, importSPKI } from 'jose';

export function jwks(publicKeys) {
  const app = new Hono();
  app.get('/.well-known/jwks.json', async (c) => {
    const keys = await Promise.all(
      publicKeys.map(async ({ kid, pem }) => ({
        ...(await exportJWK(await importSPKI(pem, 'ES256'))),
        kid,
        use: 'sig',
        alg: 'ES256',
      })),
    );
    c.header('Cache-Control', 'public, max-age=300');
    return c.json({ keys });
  });
  return app;
}
