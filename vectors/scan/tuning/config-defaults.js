require('dotenv').config();

module.exports = {
  port: process.env.PORT || 3000,
  mongoUri: process.env.MONGO_URI || 'mongodb://localhost:27017/app',
  JWT_SECRET: process.env.JWT_SECRET || 'please-change-me', // expect: secret-in-source
  sessionSecret: process.env.SESSION_SECRET || 'keyboard cat', // expect: secret-in-source
  logLevel: process.env.LOG_LEVEL || 'info',
};
