import jwtDecode from 'jwt-decode';
import { useSelector } from 'react-redux';
import { NotFound } from './NotFound';

export default function StaffOnly({ children }) {
  const token = useSelector((state) => state.auth.accessToken);
  if (!token) return <NotFound />;
  const claims = jwtDecode(token); // expect: decode-instead-of-verify
  if (claims.group !== 'staff') return <NotFound />;
  return <div className="staff">{children}</div>;
}
