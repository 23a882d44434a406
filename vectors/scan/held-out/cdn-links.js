const { getSignedUrl } = require('@aws-sdk/cloudfront-signer');
const { createPrivateKey, sign } = require('crypto');

const DAY = 24 * 60 * 60 * 1000;

exports.videoLink = (path, now) =>
  getSignedUrl({
    url: `https://cdn.example.com${path}`,
    keyPairId: process.env.CDN_KEY_ID,
    privateKey: process.env.CDN_KEY,
    dateLessThan: new Date(now + 7 * DAY).toISOString(),
  });

exports.signManifest = (manifest) => {
  const key = createPrivateKey(process.env.MANIFEST_KEY);
  return sign(null, Buffer.from(JSON.stringify(manifest)), key).toString('base64');
};
