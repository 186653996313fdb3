/** The names of epochs, where elections are close to each other or to the edge. */
import { expect, test } from "vitest";
import { epochLabels } from "./epochLabels.ts";

const widthOf = (text: string) => text.length * 6;
const lines = (...xs: readonly number[]) => xs.map((x, index) => ({ x, epoch: index + 1 }));

test("elections with room between them have a name each", () => {
  expect(epochLabels(lines(100, 200), widthOf, 1_000)).toEqual([
    { text: "epoch 1", x: 104 },
    { text: "epoch 2", x: 204 },
  ]);
});

test("those without are named together", () => {
  expect(epochLabels(lines(100, 120, 160, 400), widthOf, 1_000)).toEqual([
    { text: "epochs 1–3", x: 104 },
    { text: "epoch 4", x: 404 },
  ]);
});

test("at the edge a name stays inside, and takes no other's room", () => {
  expect(epochLabels(lines(100, 290), widthOf, 300)).toEqual([
    { text: "epoch 1", x: 104 },
    { text: "epoch 2", x: 254 },
  ]);
  expect(epochLabels(lines(230, 290), widthOf, 300)).toEqual([{ text: "epoch 2", x: 254 }]);
});
