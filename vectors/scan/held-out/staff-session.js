import jwt from 'jsonwebtoken';

export async function openStaffSession(staff, request) {
  const body = {
    sub: staff.id,
    roles: staff.roles,
    email: staff.email, // expect: personal-data-in-payload
    socialSecurityNumber: staff.ssn, // expect: personal-data-in-payload
  };
  const token = await new Promise((resolve, reject) => {
    jwt.sign(body, process.env.STAFF_KEY, { expiresIn: '45m' }, (error, value) => (error ? reject(error) : resolve(value)));
  });
  request.log.info({ staff: staff.id }, 'session opened');
  return { token };
}
