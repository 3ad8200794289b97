-- CreateTable
CREATE TABLE "Statistics" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "modelId" TEXT NOT NULL,
    "modelVersionId" TEXT NOT NULL,
    "inputs" TEXT NOT NULL,
    "taps" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "nearZero" REAL NOT NULL,
    "bins" INTEGER NOT NULL,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "result" TEXT,
    "byInput" BLOB,
    "provenance" TEXT NOT NULL DEFAULT '{}',
    "createdAt" DATETIME NOT NULL,
    "queuedAt" DATETIME NOT NULL,
    "startedAt" DATETIME,
    "finishedAt" DATETIME
);

-- CreateIndex
CREATE UNIQUE INDEX "Statistics_key_key" ON "Statistics"("key");

-- CreateIndex
CREATE INDEX "Statistics_status_idx" ON "Statistics"("status");
