import { HttpInterceptorFn } from '@angular/common/http';

const KEY = 'xsrf-token';

export const antiforgery: HttpInterceptorFn = (request, next) => {
  const known = sessionStorage.getItem(KEY);
  if (!known || request.method === 'GET') return next(request);
  return next(request.clone({ setHeaders: { 'X-XSRF-TOKEN': known } }));
};

export function learn(response: Response): void {
  const xsrfToken = response.headers.get('x-xsrf-token');
  if (xsrfToken) sessionStorage.setItem(KEY, xsrfToken);
}
