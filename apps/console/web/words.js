/** What ids are called on the page, with the Chinese terms of FAST+. */

export const WINDOWS = { '1m': '1 min', '5m': '5 min', '1h': '1 h', '24h': '24 h', '30d': '30 d' };

export const CHANNELS = {
  all: ['All channels', '全域'],
  shop: ['Shop', '店铺'],
  group: ['Group', '群聊'],
  live: ['Live', '自播'],
  dedicated_cs: ['Dedicated CS', '专属客服'],
  mini_program: ['Mini program', '小程序'],
  subscription: ['Subscription', '订阅'],
  member_center: ['Member centre', '会员中心'],
  official_account: ['Official account', '公众号'],
  wecom: ['WeCom', '企业微信'],
  guide: ['Guide', '导购'],
  store_offline: ['Store', '门店'],
};

export const TIERS = [
  ['No relation', '无关系'],
  ['Basic', '基础关系'],
  ['Member, not bought', '未购会员'],
  ['Member, bought', '已购会员'],
  ['Member, repeat', '复购会员'],
  ['Brand KOC', '品牌KOC'],
];

export const CAUSES = {
  EVENT: 'touchpoint',
  TIME: 'time passed 到期',
  REFUND: 'refund 退款',
  UNLINK: 'left 解除关系',
  MERGE: 'merged',
  RESTATE: 'restated',
  ERASURE: 'erased',
};

export const STATUSES = {
  provisional: ['provisional', '实时', 'Its time is not over: still moving'],
  closed: ['closed', '已关窗', 'Its time is over; only late data can move it'],
  restated: ['restated', '已重述', 'Corrected after its close'],
  incomplete: ['incomplete', '不完整', 'A lower bound: parts are missing'],
};

/** @param {string} channel @returns {string[]} */
export function channelWords(channel) {
  return Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel] : [channel, ''];
}

/** Short name of a scheme. @param {string} schemeId @returns {string[]} */
export function schemeWords(schemeId) {
  if (schemeId === 'calendar:month') return ['This month', '自然月'];
  const rolling = /^rolling:(\d+)d$/.exec(schemeId);
  return rolling === null ? [schemeId, '活动'] : [`Rolling ${rolling[1]} d`, `滚动${rolling[1]}天`];
}
