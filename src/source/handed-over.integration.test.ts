import { chownSync, lstatSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSourceFixture, treeDifferences } from "../../test/support/git-source.ts";

const OTHER = 54_321;

test.skipIf(process.getuid?.() !== 0)(
  "what a build's user was given is not written again, unless it differs",
  async () => {
    await using fixture = await createSourceFixture();
    const { repository, workspace } = fixture;
    const one = repository.commit({
      ".gitattributes": "# no rules\n",
      "other-words.txt": "abc",
      "same.txt": "same",
      "dir/same.txt": "same",
      "changed.txt": "before",
      "spoilt.txt": "right",
    });
    const two = repository.commit({ "changed.txt": "after" });
    await fixture.checkOut(one);
    for (const name of [".", ...readdirSync(workspace, { recursive: true, encoding: "utf8" })])
      chownSync(join(workspace, name), OTHER, OTHER);
    writeFileSync(join(workspace, "spoilt.txt"), "wrong"); // as long as what belongs there
    writeFileSync(join(workspace, ".gitattributes"), "* working-tree-encoding=IBM037\n");
    writeFileSync(join(workspace, "other-words.txt"), Buffer.from([0x81, 0x82, 0x83])); // abc, says that rule
    await fixture.checkOut(two);
    expect(treeDifferences(repository, two, workspace)).toEqual([]);
    const ownerOf = (name: string): number => lstatSync(join(workspace, name)).uid;
    expect(["same.txt", "dir/same.txt"].map(ownerOf)).toEqual([OTHER, OTHER]);
    expect(["changed.txt", "spoilt.txt", "other-words.txt"].map(ownerOf)).toEqual([0, 0, 0]);
  },
);
