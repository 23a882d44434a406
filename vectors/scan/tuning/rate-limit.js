const buckets = new Map();

/** A bucket of tokens per address: one comes back each second. */
function takeToken(address, now) {
  const bucket = buckets.get(address) || { tokens: 10, at: now };
  const tokens = Math.min(10, bucket.tokens + (now - bucket.at) / 1000);
  buckets.set(address, { tokens: Math.max(0, tokens - 1), at: now });
  return tokens >= 1;
}

module.exports = (clock) => (req, res, next) => {
  if (takeToken(req.ip, clock())) return next();
  res.set('Retry-After', '1').sendStatus(429);
};
