import { OAuth2Client } from 'google-auth-library'
import { CognitoJwtVerifier } from 'aws-jwt-verify'

const google = new OAuth2Client()
const cognito = CognitoJwtVerifier.create({
  userPoolId: process.env.USER_POOL!,
  tokenUse: 'access',
  clientId: process.env.CLIENT_ID!,
})

export async function googleSubject(idToken: string) {
  const ticket = await google.verifyIdToken({ idToken, audience: process.env.GOOGLE_CLIENT_ID })
  return ticket.getUserId()
}

export async function cognitoSubject(token: string) {
  const claims = await cognito.verify(token)
  return claims.sub
}
