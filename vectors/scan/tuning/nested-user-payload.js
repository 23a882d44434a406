const { sign } = require('jsonwebtoken');

module.exports.issueFor = (user) => {
  const token = sign(
    {
      user: {
        id: user.id,
        role: user.role,
        address: user.address, // expect: personal-data-in-payload
      },
    },
    process.env.SIGN_KEY,
    { expiresIn: '20m', algorithm: 'HS256' },
  );
  return { token, type: 'Bearer' };
};
