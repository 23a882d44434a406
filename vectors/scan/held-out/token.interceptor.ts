import { HttpClient, HttpErrorResponse, HttpEvent, HttpHandler, HttpInterceptor, HttpRequest } from '@angular/common/http';
import { Injectable } from '@angular/core';
import { Observable, catchError, switchMap, throwError } from 'rxjs';

@Injectable()
export class TokenInterceptor implements HttpInterceptor {
  private static readonly STORAGE_KEY = 'ng-access-token';

  constructor(private readonly http: HttpClient) {}

  intercept(request: HttpRequest<unknown>, next: HttpHandler): Observable<HttpEvent<unknown>> {
    return next.handle(request).pipe(
      catchError((error: HttpErrorResponse) => {
        if (error.status !== 401) return throwError(() => error);
        return this.http.post<{ access: string; refresh: string }>('/token/renew', {}).pipe(
          switchMap((pair) => {
            localStorage.setItem('ng-access-token', pair.access); // expect: token-in-web-storage
            localStorage['ng-refresh-token'] = pair.refresh; // expect: token-in-web-storage
            return next.handle(request.clone({ setHeaders: { Authorization: `Bearer ${pair.access}` } }));
          }),
        );
      }),
    );
  }
}
