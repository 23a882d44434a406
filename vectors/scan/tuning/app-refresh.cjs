const express = require('express');
const { promisify } = require('util');
const jsonwebtoken = require('jsonwebtoken');

const verifyAsync = promisify(jsonwebtoken.verify);
const app = express();
app.use(express.json());

const refreshOptions = { algorithms: ['HS256'], issuer: 'fleet', audience: 'fleet' };

app.put('/sessions/refresh', async (req, res, next) => { // expect: no-rotation
  try {
    const claims = await verifyAsync(req.body.refresh, process.env.FLEET_REFRESH, refreshOptions);
    const access = jsonwebtoken.sign({ sub: claims.sub, fleet: claims.fleet }, process.env.FLEET_ACCESS, {
      expiresIn: '20m',
    });
    res.json({ access });
  } catch (error) {
    next(error);
  }
});

module.exports = app;
