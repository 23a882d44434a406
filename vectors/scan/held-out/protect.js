const util = require('util');
const jwt = require('jsonwebtoken');
const catchAsync = require('../lib/catch-async');
const Customer = require('../models/customer');

exports.protect = catchAsync(async (req, res, next) => {
  const token = req.cookies.shop;
  if (!token) return next(Object.assign(new Error('log in first'), { status: 401 }));

  const claims = await util.promisify(jwt.verify)(token, process.env.SHOP_SECRET); // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience

  const customer = await Customer.findByPk(claims.sub);
  if (!customer || customer.changedPasswordAfter(claims.iat)) {
    return next(Object.assign(new Error('log in again'), { status: 401 }));
  }
  req.customer = customer;
  return next();
});
