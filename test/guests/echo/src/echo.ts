// A component that answers what it is told, or with an error in its own words.
export const onMessage = {
  handle(method: string, params: string): string {
    if (method === "echo") return params;
    if (method === "long") return "x".repeat(Number(params));
    throw `There is no method "${method}"; there is "echo".`;
  },
};
