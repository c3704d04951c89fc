"""Drives an MCP server with the official client and prints what it answered, as JSON.

Takes one argument, a JSON object: `command` and `args` (over standard input and output) or `url` (over HTTP), `mode` (how the
two agree on a revision of the protocol), and `steps`, a list of [verb, arguments…].
"""

import asyncio
import json
import sys

from mcp import Client, MCPError, StdioServerParameters

PLAN = json.loads(sys.argv[1])


async def take(client, verb, *arguments):
    if verb == "call":
        return await client.call_tool(arguments[0], arguments[1])
    if verb == "read":
        return await client.read_resource(arguments[0])
    if verb == "prompt":
        return await client.get_prompt(arguments[0], arguments[1])
    return await getattr(client, verb)()


async def main():
    if "url" in PLAN:
        server = PLAN["url"]
    else:
        server = StdioServerParameters(command=PLAN["command"], args=PLAN["args"], env=PLAN["env"])
    answers = []
    async with Client(server, mode=PLAN["mode"], read_timeout_seconds=60) as client:
        answers.append({"name": client.server_info.name, "protocol": client.protocol_version})
        for step in PLAN["steps"]:
            try:
                answer = await take(client, *step)
                answers.append(answer.model_dump(mode="json", by_alias=True, exclude_none=True))
            except MCPError as error:
                answers.append({"error": str(error)})
    print(json.dumps(answers))


asyncio.run(main())
