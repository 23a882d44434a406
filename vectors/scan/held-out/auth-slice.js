import { createAsyncThunk, createSlice } from '@reduxjs/toolkit';
import * as authApi from './authApi';

export const logIn = createAsyncThunk('auth/logIn', async (form, { rejectWithValue }) => {
  try {
    const { account, jwt } = await authApi.logIn(form);
    sessionStorage.setItem('app.jwt', jwt); // expect: token-in-web-storage
    return account;
  } catch (error) {
    return rejectWithValue(error.response.data);
  }
});

const slice = createSlice({
  name: 'auth',
  initialState: { account: null, error: null },
  reducers: {
    loggedOut(state) {
      sessionStorage.removeItem('app.jwt');
      state.account = null;
    },
  },
  extraReducers: (builder) => {
    builder.addCase(logIn.fulfilled, (state, { payload }) => void (state.account = payload));
    builder.addCase(logIn.rejected, (state, { payload }) => void (state.error = payload));
  },
});

export const { loggedOut } = slice.actions;
export default slice.reducer;
