const { decode } = require('jsonwebtoken');
const audit = require('./audit');

exports.auditTrail = (req, res, next) => {
  const token = req.cookies.session;
  const claims = token ? decode(token, { json: true }) : null; // expect: decode-instead-of-verify
  audit.write({ actor: claims && claims.sub, path: req.path });
  next();
};

exports.ownerOnly = (load) => async (req, res, next) => {
  const item = await load(req.params.id);
  const raw = req.cookies.session.split('.')[1];
  const claims = JSON.parse(Buffer.from(raw, 'base64').toString()); // expect: decode-instead-of-verify
  if (item.owner !== claims.sub) return res.sendStatus(404);
  req.item = item;
  next();
};
