import express from 'express';
import jwt from 'jsonwebtoken';

const app = express();
const live = new Set();
const rules = { algorithms: ['HS256'], issuer: 'todo', audience: 'todo' };

app.post('/login', express.json(), (req, res) => {
  const refresh = jwt.sign({ sub: req.body.login }, process.env.TODO_REFRESH, { expiresIn: '7d', issuer: 'todo', audience: 'todo' });
  live.add(refresh);
  res.json({ refresh });
});

app.post('/token/refresh', express.json(), (req, res) => { // expect: no-rotation
  const { refresh } = req.body;
  if (!live.has(refresh)) return res.sendStatus(403);
  return jwt.verify(refresh, process.env.TODO_REFRESH, rules, (err, claims) => {
    if (err) return res.sendStatus(403);
    return res.json({ access: jwt.sign({ sub: claims.sub }, process.env.TODO_ACCESS, { expiresIn: '15m' }) });
  });
});

app.listen(4000);
