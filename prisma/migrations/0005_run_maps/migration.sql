-- AlterTable
ALTER TABLE "Run" ADD COLUMN "maps" TEXT;

-- CreateTable
CREATE TABLE "RunMap" (
    "runId" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "attribution" BLOB NOT NULL,
    "detail" TEXT NOT NULL,
    "diagnoses" TEXT NOT NULL,

    PRIMARY KEY ("runId", "position"),
    CONSTRAINT "RunMap_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
