import jwt from 'jsonwebtoken';

const WEEK = '7 days';

/** @param {{ id: string, scopes: string[] }} member */
export const makeJwt = ({ id, scopes }) =>
  jwt.sign({ scopes }, process.env.MEMBERS_KEY, {
    subject: id,
    issuer: 'members',
    audience: 'members-api',
    expiresIn: WEEK, // expect: token-lives-too-long
  });

export const makeDownloadJwt = ({ id }, file) =>
  jwt.sign({ file }, process.env.MEMBERS_KEY, { subject: id, expiresIn: '90s' });
