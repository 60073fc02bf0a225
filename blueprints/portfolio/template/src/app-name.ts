export const APP_NAME = '__APP_NAME__';
