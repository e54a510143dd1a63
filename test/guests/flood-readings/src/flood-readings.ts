// A component that reports far more readings than it may and counts what it is answered.
import { flush, report } from "outstation:gateway/readings@0.1.0";

export const onMessage = {
  handle(_method: string, params: string): string {
    const { reports } = JSON.parse(params) as { reports: number };
    const answers: Record<string, number> = { taken: 0 };
    for (let count = 0; count < reports; count++) {
      const answer = reportOne(count);
      answers[answer] = (answers[answer] ?? 0) + 1;
    }
    flush();
    return JSON.stringify(answers);
  },
};

function reportOne(count: number): string {
  try {
    report("flood", [{ metric: "count", value: { tag: "integer", val: count } }]);
    return "taken";
  } catch (error) {
    return (error as { payload: { tag: string } }).payload.tag;
  }
}
