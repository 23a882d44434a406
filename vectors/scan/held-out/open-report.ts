import { Injectable, inject } from '@angular/core';
import { Session } from './session';

@Injectable({ providedIn: 'root' })
export class ReportWindow {
  private readonly session = inject(Session);

  open(id: string): void {
    const authToken = this.session.authToken();
    window.open(`/api/reports/${id}?format=pdf&auth=${authToken}`, '_blank'); // expect: token-in-url
  }

  print(id: string): void {
    window.open(`/reports/${id}/print`, '_blank');
  }
}
