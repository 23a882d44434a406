const crypto = require('crypto');
const express = require('express');
const stripe = require('stripe')(process.env.STRIPE_KEY);

const router = express.Router();

router.post('/stripe', express.raw({ type: 'application/json' }), (req, res) => {
  const event = stripe.webhooks.constructEvent(req.body, req.headers['stripe-signature'], process.env.STRIPE_HOOK);
  res.json({ received: event.id });
});

router.post('/partner', express.raw({ type: '*/*' }), (req, res) => {
  const signature = Buffer.from(req.get('x-signature'), 'base64');
  const ok = crypto.verify('sha256', req.body, process.env.PARTNER_PUBLIC_KEY, signature);
  res.sendStatus(ok ? 204 : 400);
});

module.exports = router;
