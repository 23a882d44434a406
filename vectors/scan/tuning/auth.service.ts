import { Injectable } from '@angular/core';
import { HttpClient } from '@angular/common/http';
import { BehaviorSubject, tap } from 'rxjs';

interface LoginAnswer {
  jwt: string;
  userName: string;
}

@Injectable({ providedIn: 'root' })
export class AuthService {
  private readonly name = new BehaviorSubject<string | null>(null);
  readonly name$ = this.name.asObservable();

  constructor(private readonly http: HttpClient) {}

  login(email: string, password: string) {
    return this.http.post<LoginAnswer>('/api/authenticate', { email, password }).pipe(
      tap((answer) => {
        sessionStorage['jwt'] = answer.jwt; // expect: token-in-web-storage
        this.name.next(answer.userName);
      }),
    );
  }

  logout() {
    sessionStorage.removeItem('jwt');
    this.name.next(null);
  }
}
