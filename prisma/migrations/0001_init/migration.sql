-- CreateTable
CREATE TABLE "Asset" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "bytes" INTEGER NOT NULL,
    "format" TEXT NOT NULL,
    "originalWidth" INTEGER NOT NULL,
    "originalHeight" INTEGER NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "notes" TEXT NOT NULL DEFAULT '[]',
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "ModelVersion" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "sha256" TEXT NOT NULL,
    "modelId" TEXT NOT NULL,
    "card" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Run" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "modality" TEXT NOT NULL,
    "modelId" TEXT NOT NULL,
    "modelVersionId" TEXT NOT NULL,
    "methodId" TEXT NOT NULL,
    "methodVersion" INTEGER NOT NULL,
    "params" TEXT NOT NULL,
    "seed" INTEGER NOT NULL,
    "targetIndex" INTEGER,
    "assetId" TEXT,
    "text" TEXT,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "provenance" TEXT NOT NULL DEFAULT '{}',
    "createdAt" DATETIME NOT NULL,
    "queuedAt" DATETIME NOT NULL,
    "startedAt" DATETIME,
    "finishedAt" DATETIME,
    CONSTRAINT "Run_modelVersionId_fkey" FOREIGN KEY ("modelVersionId") REFERENCES "ModelVersion" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "Run_assetId_fkey" FOREIGN KEY ("assetId") REFERENCES "Asset" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Result" (
    "runId" TEXT NOT NULL PRIMARY KEY,
    "logits" BLOB NOT NULL,
    "labels" TEXT NOT NULL,
    "targetIndex" INTEGER NOT NULL,
    "attribution" BLOB NOT NULL,
    "detail" TEXT NOT NULL,
    "diagnoses" TEXT NOT NULL,
    "queuedMs" REAL NOT NULL,
    "loadMs" REAL NOT NULL,
    "preprocessMs" REAL NOT NULL,
    "computeMs" REAL NOT NULL,
    "totalMs" REAL NOT NULL,
    CONSTRAINT "Result_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Annotation" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "runId" TEXT NOT NULL,
    "note" TEXT NOT NULL,
    "boxX" REAL,
    "boxY" REAL,
    "boxWidth" REAL,
    "boxHeight" REAL,
    "spanStart" INTEGER,
    "spanEnd" INTEGER,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "Annotation_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ShareLink" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "runId" TEXT NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "expiresAt" DATETIME,
    "revokedAt" DATETIME,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "ShareLink_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE UNIQUE INDEX "Run_key_key" ON "Run"("key");

-- CreateIndex
CREATE INDEX "Run_createdAt_id_idx" ON "Run"("createdAt", "id");

-- CreateIndex
CREATE INDEX "Run_status_idx" ON "Run"("status");

-- CreateIndex
CREATE INDEX "Run_assetId_idx" ON "Run"("assetId");

-- CreateIndex
CREATE INDEX "Run_modelVersionId_idx" ON "Run"("modelVersionId");

-- CreateIndex
CREATE INDEX "Annotation_runId_idx" ON "Annotation"("runId");

-- CreateIndex
CREATE UNIQUE INDEX "ShareLink_tokenHash_key" ON "ShareLink"("tokenHash");

-- CreateIndex
CREATE INDEX "ShareLink_runId_idx" ON "ShareLink"("runId");

