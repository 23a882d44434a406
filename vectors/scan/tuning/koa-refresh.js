const Router = require('@koa/router');
const jwt = require('jsonwebtoken');

const router = new Router({ prefix: '/auth' });
const checks = { algorithms: ['RS256'], issuer: 'press', audience: 'press' };

router.post('/login', async (ctx) => {
  const writer = await ctx.writers.check(ctx.request.body);
  ctx.assert(writer, 401);
  ctx.body = {
    access: jwt.sign({ sub: writer.id }, ctx.keys.access, { expiresIn: '10m' }),
    refresh: jwt.sign({ sub: writer.id }, ctx.keys.refresh, { expiresIn: '14d' }),
  };
});

router.get('/refresh', async (ctx) => { // expect: no-rotation
  const refresh = ctx.cookies.get('refresh');
  const { sub } = jwt.verify(refresh, ctx.keys.refreshPublic, checks);
  ctx.body = { access: jwt.sign({ sub }, ctx.keys.access, { expiresIn: '10m' }) };
});

module.exports = router;
