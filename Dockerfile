# SKYNET in one container:
#   docker build -t skynet . && docker run --init --network host -v skynet-data:/data -v skynet-work:/work skynet
# Node 20 is enough to begin with: Node 24 comes with the dependencies. --network host, since the chat page listens on
# 127.0.0.1 only; with TELEGRAM_BOT_TOKEN no port needs to be reached from outside.
FROM node:22-bookworm-slim

# git and bubblewrap for the agent's work; the embedded PostgreSQL brings itself.
RUN apt-get update \
 && apt-get install -y --no-install-recommends bubblewrap ca-certificates git \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
RUN mkdir -p /data /work && chown node:node /app /data /work
USER node

# Dependencies and the Prisma client first: they change less often than the code.
COPY --chown=node:node package.json package-lock.json prisma.config.ts ./
COPY --chown=node:node cli/setup.mjs cli/setup.mjs
COPY --chown=node:node prisma prisma
RUN node cli/setup.mjs && npm cache clean --force

COPY --chown=node:node . .

ENV PATH=/app/node_modules/.bin:$PATH \
    SKYNET_DATA_DIR=/data \
    SKYNET_AGENT_ROOTS=/work
VOLUME ["/data", "/work"]
# API, gateway, chat page. Each listens on 127.0.0.1 until SKYNET_HTTP_HOST and SKYNET_GATEWAY_HOST say otherwise.
EXPOSE 8080 8766 8081

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD node -e "fetch('http://127.0.0.1:8080/v1/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
STOPSIGNAL SIGTERM
CMD ["node", "cli/main.ts", "start"]
