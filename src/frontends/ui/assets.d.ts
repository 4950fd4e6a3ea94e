declare module "*.css" {
  const text: string

  // biome-ignore lint/style/noDefaultExport: that is what importing a text gives
  export { text as default }
}
