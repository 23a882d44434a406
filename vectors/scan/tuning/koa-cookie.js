const Router = require('@koa/router');
const { startSession } = require('./sessions');

const router = new Router();

router.post('/login', async (ctx) => {
  const session = await startSession(ctx.request.body);
  ctx.cookies.set('session_id', session.id, { secure: true, overwrite: true }); // expect: cookie-without-samesite
  ctx.cookies.set('skin', session.skin, { httpOnly: false });
  ctx.redirect('/');
});

router.post('/embed/login', async (ctx) => {
  const session = await startSession(ctx.request.body);
  ctx.cookies.set('embed_token', session.token, { httpOnly: false, secure: true, sameSite: 'none' }); // expect: cookie-without-httponly
  ctx.status = 204;
});

module.exports = router;
