-- CreateTable
CREATE TABLE "Evaluation" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "runId" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "modality" TEXT NOT NULL,
    "metricId" TEXT NOT NULL,
    "metricVersion" INTEGER NOT NULL,
    "params" TEXT NOT NULL,
    "seed" INTEGER NOT NULL,
    "randomControls" INTEGER NOT NULL,
    "marks" TEXT,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "result" TEXT,
    "provenance" TEXT NOT NULL DEFAULT '{}',
    "createdAt" DATETIME NOT NULL,
    "queuedAt" DATETIME NOT NULL,
    "startedAt" DATETIME,
    "finishedAt" DATETIME,
    CONSTRAINT "Evaluation_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE UNIQUE INDEX "Evaluation_key_key" ON "Evaluation"("key");

-- CreateIndex
CREATE INDEX "Evaluation_runId_idx" ON "Evaluation"("runId");

-- CreateIndex
CREATE INDEX "Evaluation_status_idx" ON "Evaluation"("status");
