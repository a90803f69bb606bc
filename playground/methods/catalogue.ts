import * as aboutChats from './aboutChats.ts'
import * as commands from './commands.ts'
import * as drafts from './drafts.ts'
import * as files from './files.ts'
import * as messages from './messages.ts'
import type { Method } from './method.ts'
import * as queries from './queries.ts'
import * as updates from './updates.ts'

const yes: Method = () => true

/** Every method this server knows, by Telegram's name. Those of `yes` are accepted and change nothing here. */
const methods: Record<string, Method> = {
  getMe: aboutChats.getMe,
  getUpdates: updates.getUpdates,
  setWebhook: updates.setWebhook,
  deleteWebhook: updates.deleteWebhook,
  getWebhookInfo: updates.getWebhookInfo,
  sendMessage: messages.sendMessage,
  editMessageText: messages.editMessageText,
  editMessageCaption: messages.editMessageCaption,
  editMessageReplyMarkup: messages.editMessageReplyMarkup,
  deleteMessage: messages.deleteMessage,
  deleteMessages: messages.deleteMessages,
  sendDocument: files.sendDocument,
  sendPhoto: files.sendPhoto,
  getFile: files.getFile,
  sendMessageDraft: drafts.sendMessageDraft,
  sendChatAction: drafts.sendChatAction,
  answerCallbackQuery: queries.answerCallbackQuery,
  setMyCommands: commands.setMyCommands,
  getMyCommands: commands.getMyCommands,
  deleteMyCommands: commands.deleteMyCommands,
  getChat: aboutChats.getChat,
  getChatMember: aboutChats.getChatMember,
  getChatAdministrators: aboutChats.getChatAdministrators,
  getChatMemberCount: aboutChats.getChatMemberCount,
  leaveChat: aboutChats.leaveChat,
  setMyName: yes,
  setMyDescription: yes,
  setMyShortDescription: yes,
  setMyDefaultAdministratorRights: yes,
  setChatMenuButton: yes,
  setMessageReaction: yes,
  getMyName: (world) => ({ name: world.me.first_name }),
  getMyDescription: () => ({ description: '' }),
  getMyShortDescription: () => ({ short_description: '' }),
  getChatMenuButton: () => ({ type: 'commands' }),
  close: yes,
  logOut: yes,
}

const byLowerCase = new Map(
  Object.entries(methods).map(([name, method]) => [name.toLowerCase(), { name, method }]),
)

/** Finds a method; Telegram takes names in any case. */
export function findMethod(name: string): { name: string; method: Method } | undefined {
  return byLowerCase.get(name.toLowerCase())
}
