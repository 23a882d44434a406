import { jwtDecode } from 'jwt-decode'
import { Navigate, Outlet } from 'react-router-dom'
import { useToken } from './use-token'

type Claims = { sub: string; roles?: string[] }

export function AdminRoute() {
  const token = useToken()
  if (!token) return <Navigate to="/login" replace />

  const { roles = [] } = jwtDecode<Claims>(token) // expect: decode-instead-of-verify
  return roles.includes('admin') ? <Outlet /> : <Navigate to="/" replace />
}
