import type { Command } from 'commander'
import type { Env } from '../core/config/settings.ts'
import type { GuideKind } from '../core/guides/guide.ts'

/** `skynet skills ...` */
export function addSkills(program: Command, env: Env): void {
  const skills = program.command('skills').description('SKILL.md texts that guide planning, once reviewed')
  const load = () => import('./skillCommands.ts')
  skills
    .command('list')
    .description('what there is, what waits for a review, and what cannot be used')
    .action(async () => (await load()).listSkillsCommand(env))
  skills
    .command('add')
    .description('takes in a SKILL.md; nothing uses it before it is reviewed, nothing beside it is read')
    .argument('<place>', 'a file, its folder, or an https address of a host in SKYNET_SKILL_HOSTS')
    .action(async (place: string) => (await load()).addSkillCommand(env, place))
  skills
    .command('refresh')
    .description('looks at the directory and the addresses of the settings now')
    .action(async () => (await load()).refreshSkillsCommand(env))
  addGuide(skills, env, 'skill')
}

/** `skynet playbooks ...` */
export function addPlaybooks(program: Command, env: Env): void {
  const playbooks = program.command('playbooks').description('playbooks learned from runs that went well')
  playbooks
    .command('list')
    .description('what was kept, and what waits for a review')
    .action(async () =>
      (await import('./guideCommands.ts')).listGuidesCommand(
        env,
        'playbook',
        'None was learned yet. `Keep as playbook` stands under a run that went well.',
      ),
    )
  playbooks
    .command('rename')
    .description('gives one another name')
    .argument('<name>')
    .argument('<new>')
    .action(async (name: string, to: string) =>
      (await import('./playbookCommands.ts')).renamePlaybookCommand(env, name, to),
    )
  addGuide(playbooks, env, 'playbook')
}

/** What skills and learned playbooks have in common: a text that is inert until it was reviewed. */
function addGuide(command: Command, env: Env, kind: GuideKind): void {
  const load = () => import('./guideCommands.ts')
  command
    .command('show')
    .description('its newest text')
    .argument('<name>')
    .option('--reviewed', 'the text that was reviewed and is used')
    .action(async (name: string, options: { reviewed?: boolean }) =>
      (await load()).showGuideCommand(env, kind, name, options),
    )
  command
    .command('review')
    .description('shows the text with what stands out in it; with its hash, takes it into use')
    .argument('<name>')
    .option('--hash <sha256>', 'of the text that was read, whole, as the review showed it')
    .action(async (name: string, options: { hash?: string }) =>
      (await load()).reviewGuideCommand(env, kind, name, options),
    )
  command
    .command('remove')
    .description('takes it out of use at once')
    .argument('<name>')
    .action(async (name: string) => (await load()).removeGuideCommand(env, kind, name))
}
