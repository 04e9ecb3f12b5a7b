/** AssemblyScript, compiled: the bytes of the WebAssembly module in base64 (scripts/kernels.mjs). */
declare module '*?kernels' {
  const base64: string;
  export default base64;
}
