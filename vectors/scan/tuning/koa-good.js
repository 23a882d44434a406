const Koa = require('koa');
const { resume } = require('./sessions');

const app = new Koa();
app.keys = [process.env.KOA_KEY];

app.use(async (ctx, next) => {
  const session = await resume(ctx.cookies.get('sid', { signed: true }));
  ctx.state.session = session;
  await next();
  if (session.renewed) {
    ctx.cookies.set('sid', session.id, { signed: true, secure: true, sameSite: 'lax' });
  }
  ctx.cookies.set('seen', new Date().toISOString(), { httpOnly: false });
});

module.exports = app;
