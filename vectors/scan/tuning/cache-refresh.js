const router = require('express').Router();
const cache = require('../cache');
const { verifySignature } = require('../signatures');

router.post('/catalog/refresh', async (req, res) => {
  if (!verifySignature(req)) return res.sendStatus(403);
  const entries = await cache.reload('catalog');
  res.json({ refreshed: entries.length });
});

async function refreshFeeds(feeds) {
  for (const feed of feeds) await cache.reload(feed.url);
}

module.exports = { router, refreshFeeds };
